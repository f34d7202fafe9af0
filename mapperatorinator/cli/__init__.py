"""The `mapperatorinator` command and the Hydra entry point: text in, `Settings` out, no music."""
