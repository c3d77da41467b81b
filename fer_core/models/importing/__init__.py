"""Models from elsewhere, brought into the form the app uses without running anything that is in their files.

What others call:

- `importer.import_model` turns a file into a model folder; it returns an `Imported`.
- `description.Description`, `describe` and `parse_labels` say what a foreign network takes and what its scores mean.

How it is done, each module for itself:

- `inspection`: what kind of file it is, by its content, with limits on what is unpacked.
- `safety`: only known layers pass, so that no code of others is run.
- `registered_weights`, `original_weights`: weights of a registered architecture, and of the original script.
- `foreign_model`, `resizing`: any other Keras model, made to take 48-pixel faces.

`description` needs no Keras, so a page may use it; everything else runs in a process of its own.
"""
