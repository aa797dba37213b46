"""Pages and JSON API over one store, from the same handlers. They only read."""
