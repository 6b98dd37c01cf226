"""Django's SQLite backend behind one fair write gate (docs/adr/0003); name it as a database's ENGINE."""
