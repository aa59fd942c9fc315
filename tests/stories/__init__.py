"""Stories told over HTTP, from upload to answer."""
