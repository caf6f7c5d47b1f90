"""The layers, one file each. They do not depend on training, checks or plots."""
