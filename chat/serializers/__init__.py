"""The one public shape of each thing: REST, sockets and every outlet show it.

Fields declare a shape, for the schema and for input; where a shape goes out a thousand times a second
it is written by hand beside its fields, and a test holds the two together.
"""
