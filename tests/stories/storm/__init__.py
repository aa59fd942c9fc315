"""A storm of requests, of which every third is cut by its client: three districts, who asks, and who answers."""
