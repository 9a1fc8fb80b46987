"""`python -m attention_zoo`."""

from attention_zoo.cli import main

raise SystemExit(main())
