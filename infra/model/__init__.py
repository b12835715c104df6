"""Values: what the other rooms talk about. No network, disk, clock, environment variable or terminal."""
