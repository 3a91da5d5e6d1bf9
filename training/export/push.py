"""A model onto a hub: only when asked, private unless said otherwise, checked before, and noted in the audit log."""

from dataclasses import dataclass, field
from pathlib import Path

from search.models.pretrained.checkpoints import looks_like_hub_id
from search.models.registry import find_model
from search.projects import audit
from search.projects.errors import BespokeError, Failed, Refused, first_line
from search.projects.outgoing import host_and_port
from search.projects.progress import Progress, silent
from search.projects.project import Project
from search.projects.scratch import scratch_folder
from training.export.card import CARD, examples_of
from training.export.export import export
from training.export.formats import FULL, Form, Precision

_FROM_WORDS = ("word2vec", "fasttext", "static")


@dataclass(frozen=True)
class Pushed:
    """A model that is on a hub: its address, and what the person should know.

    >>> Pushed("https://huggingface.co/me/mine", private=True).private
    True
    """

    url: str
    private: bool
    notes: list[str] = field(default_factory=list)


def push(
    project: Project,
    name: str,
    repo: str,
    public: bool = False,
    examples: bool = False,
    measured: bool = False,
    form: Form = "sentence-transformers",
    precision: Precision = FULL,
    progress: Progress = silent,
) -> Pushed:
    """Export a model, check it, and put the folder with its card onto the hub of huggingface_hub.

    :param repo: OWNER/NAME there; made where it is not there yet.
    :param public: may be read by everybody.
    :param examples: whether three questions of the dev part and the beginnings of their answers go into the card; without
        it no text of the corpus does.
    :raises Refused: without a token, for a wrong name, for an export that is refused, where the hub refuses it, and for a
        repository that everybody reads already, unless `public`.
    :raises Failed: when the hub cannot be reached or breaks off.
    """
    from huggingface_hub import HfApi, constants, get_token
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from search.models.pretrained.hub import guard_hub

    if "/" not in repo or not looks_like_hub_id(repo):
        raise Refused(f"{repo!r} is no name of a repository: it is OWNER/NAME.")
    token = get_token()
    if token is None:
        raise Refused("There is no token of the hub here: set HF_TOKEN to one that may write.")
    disable_progress_bars()
    with scratch_folder("push") as scratch:
        folder = Path(scratch) / "model"
        notes = export(project, name, folder, measured, form, precision, progress)
        if find_model(project, name).recipe in _FROM_WORDS:
            notes.append(
                "Its vocabulary is of the words of your documents: they are in what was sent."
            )
        if examples:
            card = folder / CARD
            text = card.read_text(encoding="utf-8") if card.is_file() else ""
            card.write_text(text + examples_of(project), encoding="utf-8")
        audit.note("pushed", project.name, f"model {name} to {repo}")
        guard_hub("a model that is published", project.name)
        api = HfApi(endpoint=constants.ENDPOINT, token=token)
        host = host_and_port(constants.ENDPOINT)
        try:
            try:
                private = bool(api.model_info(repo).private)
            except RepositoryNotFoundError:
                private = not public
                api.create_repo(repo, private=private)
            if not private and not public:
                raise Refused(
                    f"{repo} is there already, and everybody may read it. Say --public, or take another name. Nothing was sent."
                )
            progress(0, 1, f"sending it to {host}")
            api.upload_folder(
                repo_id=repo, folder_path=folder, commit_message=f"{name}, by Bespoke"
            )
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status in (401, 403):
                raise Refused(
                    f"{host} does not let this token write to {repo} (status {status})."
                ) from None
            raise Failed(f"{host} did not take it: {first_line(error, 200)}.") from None
        except BespokeError:
            raise
        except Exception as error:  # httpx2's and the system's: too many to name.
            raise Failed(
                f"{host} cannot be reached, or broke off: {first_line(error, 200)}."
            ) from None
    return Pushed(f"{constants.ENDPOINT}/{repo}", private, notes)
