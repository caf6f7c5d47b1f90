"""The builder: what makes the site of the chapters and the source."""
