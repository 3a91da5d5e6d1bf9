"""The rooms of the Compare page."""
