"""Where bundles go and facts come from. One folder or file a target."""
