"""Microsoft's published types of Graph as JSON Schema, for the tests of the fake and of its clients."""
