# syntax=docker/dockerfile:1
# Bespoke's pages, commands and server in one image: docs/docker.md. Not built where it was written: no Docker ran there.

FROM python:3.11-slim-bookworm AS packages
# requirements-cluster.lock brings Ray, too; "pymilvus grpcio" leaves the Milvus client out.
ARG LOCK=requirements.lock
ARG WITHOUT=""
# Megabytes that the image may take unpacked, and those of its base and our files, which are not packages.
ARG MOST=2600
ARG BESIDE=140
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /build
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --quiet pip==26.3
COPY requirements.txt ./
# The build for the CPU, by the version of the list; its CUDA companions would take five gigabytes more.
RUN sed -n 's/^\(torch==[^ ]*\).*/\1/p' requirements.txt > torch.txt \
    && /opt/venv/bin/pip install --no-cache-dir --quiet --no-deps \
        --index-url https://download.pytorch.org/whl/cpu -r torch.txt
COPY ${LOCK} ./
RUN /opt/venv/bin/pip install --no-cache-dir --quiet --no-deps --require-hashes --only-binary :all: -r "${LOCK}" \
    && /opt/venv/bin/pip check
COPY benchmarks/sizes.py ./
# What packages bring to test themselves is not run here.
RUN if [ -n "${WITHOUT}" ]; then read -ra gone <<< "${WITHOUT}" && /opt/venv/bin/pip uninstall --yes "${gone[@]}"; fi \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && /opt/venv/bin/python sizes.py --most "${MOST}" --beside "${BESIDE}"

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="Bespoke" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 bespoke \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin bespoke \
    && install --directory --owner=10001 --group=10001 --mode=0700 /workspace /hub
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY .streamlit ./.streamlit
COPY indexes ./indexes
COPY search ./search
COPY training ./training
COPY serving ./serving
COPY terminal ./terminal
COPY bespoke ./bespoke
COPY ui ./ui
COPY app.py cli.py requirements.txt LICENSE ./
RUN ["/opt/venv/bin/python", "-m", "compileall", "-q", "."]
ENV PATH="/opt/venv/bin:${PATH}" \
    BESPOKE_HOME=/workspace \
    HF_HOME=/hub \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
VOLUME ["/workspace", "/hub"]
USER 10001:10001
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request as ask; ask.urlopen('http://localhost:8501/_stcore/health', timeout=4)"]
# On every address of the container. It refuses to start unless people sign in, or BESPOKE_LISTENS=loopback promises
# that its port is published on 127.0.0.1 alone.
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address", "0.0.0.0"]
