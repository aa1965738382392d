"""The application: projects, services, views and the command line."""
