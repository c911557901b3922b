"""The application around the views: start, main window, session, shortcuts."""
