"""The libyang context of one origin: loads the modules that `compile.py` lists, with their imports."""

import oopt_gnpy_libyang as libyang

from twinplane.errors import StartError
from twinplane.schema.compile import Source, standard_directories


def load_context(source: Source) -> libyang.Context:
    """A libyang context with the implemented modules of an origin.

    Without the internal yang-library module: judging a document would otherwise demand its mandatory nodes.

    Raises:
        StartError: libyang refuses a module.
    """
    # process-wide: messages are kept for Context.errors() instead of being printed
    libyang.set_log_options(libyang.LogOptions.Store)
    directories = ":".join(str(directory) for directory in (*source.directories, *standard_directories()))
    options = libyang.ContextOptions.NoYangLibrary | libyang.ContextOptions.DisableSearchCwd
    context = libyang.Context(directories, options)
    for name in source.implemented:
        try:
            context.load_module(name)
        except libyang.Error as error:
            found = "; ".join(str(item.message) for item in context.errors())
            raise StartError(f"libyang refuses the module {name}: {found or error}") from error
    return context
