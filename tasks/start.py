"""What ./inv starts in place of `-m invoke`: the same program, which reads no settings of other projects."""

from __future__ import annotations

from invoke.config import Config
from invoke.main import program


class OurSettings(Config):
    """The settings of this checkout alone."""

    def load_base_conf_files(self) -> None:
        """Leave out `/etc/invoke.*` and `~/.invoke.*`, which are about other projects."""


program.config_class = OurSettings
program.run()
