"""What the service is made of: locks, licences, bill of materials, image."""
