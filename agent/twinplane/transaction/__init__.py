"""The one writer: every change of configuration and host goes through here, one at a time.

`transactor.py` is the page to read first. The room owns the datastore file and decides what is in force;
it declares what it needs of others (`driver.py`, `collaborator.py`) and knows no wire, no schema library,
no kernel and no hypervisor.
"""
