"""The commands, each a module or a folder of the name that is typed; one is imported when it is named."""
