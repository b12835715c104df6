"""The application's code, checked part by part: `check` is the one button."""
