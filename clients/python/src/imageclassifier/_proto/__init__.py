"""The contract's generated code (generate.sh). No part of the package's interface."""
