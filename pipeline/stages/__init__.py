"""The training of one task as stages, each of which reads files and writes files.

`dvc.yaml` lists them with what they depend on. They do what `pipeline train` does in
one process, by the same functions, and leave the same model.
"""
