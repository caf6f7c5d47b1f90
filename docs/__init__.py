"""The tutorial, the figures that only it needs, and what builds the site."""
