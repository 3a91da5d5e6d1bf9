"""The terminal face: what each command takes, which core function it calls, and what it prints."""
