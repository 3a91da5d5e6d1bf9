"""Models behind an address: any server that speaks OpenAI's embeddings API.

`settings` holds what is said of a server, `token_count` estimates before anything is sent, `client` sends one request
and tries again. May import the embedding store and the prompts; openai is imported when it is used.

Start reading at encoder.py: prompts, what is remembered, and the cap on tokens.
"""
