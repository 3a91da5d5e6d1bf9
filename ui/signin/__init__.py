"""Who gets in: how people sign in, when the app refuses to start, what each answer of the server carries.

ways.py says which of three ways in holds (alone on loopback, OpenID Connect, a proxy's header) and refuses to start where
none would do. identity.py tells who asks. gate.py stands before all that the server answers. The pages' own door is
ui/door.py.

Start reading at ways.py.
"""
