"""How: the engine. It knows no project by name; docs/architecture.md draws its rooms."""
