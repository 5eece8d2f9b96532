"""The command's checker: reads programs, runs nothing, and follows what reaches a loss.

It follows values as Python would: assignments, calls with their arguments, classes, inheritance,
imports within the tree, changes in place. Where branches disagree it keeps both values, with the
tests that they hang on, and reports what is wrong in all of them. Where it knows nothing it is
silent. "perhaps": a value was loaded, or given to a function that may have changed it.

It cannot see (each has an example in ``tests/tools/heads/corpus/unseen``):

- layers called in a loop, ``nn.ModuleList``                                  (module_list.py)
- a choice made by a flag that only a file or the command line knows                 (flag.py)
- ``setattr``, ``getattr``, registries, configuration files                      (registry.py)
- probabilities after arithmetic: ``softmax(z) / T``, ``+ eps``, an average    (arithmetic.py)
- a library that calls network and loss itself (skorch, fastai, ignite)           (library.py)
- a network from a package outside the tree                                       (package.py)
- a softmax written out with ``exp`` and ``sum``                              (written_out.py)
- tensors kept in a list, a dict or an attribute across a loop                  (container.py)
"""

from .trees import Scan, scan

__all__ = ["Scan", "scan"]
