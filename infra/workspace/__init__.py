"""What is on this machine: settings, templates, folders, clock. Reads, and hands values down."""
