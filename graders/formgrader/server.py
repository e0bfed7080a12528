"""Serve formgrader inside its box, and nothing else of Jupyter.

Law: there are no kernels, terminals, contents, files or uploads here: their handlers are
not registered, and no notebook is run. No configuration is read from any file, so none
that a learner or a course left can run. Who comes is asked of the hub.
"""

import importlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.manager import AsyncContentsManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyterhub.singleuser.extension import JupyterHubSingleUser
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado import web
from traitlets.config import Config

from bioskills.base.text import use_language
from bioskills.graders.engine import COURSE
from bioskills.graders.formgrader.box import COURSE_ROOT
from bioskills.graders.formgrader.notebooks import CleanExporter
from bioskills.graders.formgrader.pages import handlers, page_environment
from bioskills.graders.formgrader.released import ReleasedList

NAME = "bioskills.graders.formgrader.server"
MOST_BODY_BYTES = 1 << 20
BROKEN = 500


class NoKernels(AsyncMappingKernelManager):
    """Refuses to start anything."""

    async def start_kernel(self, **_options: Any) -> str:
        """Refuse."""
        raise web.HTTPError(403)


class NoContents(AsyncContentsManager):
    """Knows no file and serves none; the library would serve every file of the folder."""

    def get_extra_handlers(self) -> list[Any]:
        """Return no handler."""
        return []


class BoxedServer(ServerApp):
    """A Jupyter server without services, on a socket that is bound already."""

    default_services = ("auth",)  # type: ignore[assignment]  # a shorter tuple
    listener: socket.socket

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_sockets([self.listener])
        return True

    def _find_http_port(self) -> None:
        """Keep the port: it is ours already."""


class Formgrade(FormgradeExtension):  # type: ignore[misc]  # nbgrader is untyped
    """nbgrader's formgrader with our configuration and none from files."""

    @property
    def url_prefix(self) -> str:
        """Where the course lies below the server's folder: it is that folder."""
        return "."

    def build_extra_config(self) -> Config:
        """Return what is fixed here."""
        config = super().build_extra_config()
        config.FormgradeExtension.debug = False
        config.CourseDirectory.root = str(COURSE_ROOT)
        config.CourseDirectory.course_id = COURSE
        config.CourseDirectory.db_url = os.environ["BIOSKILLS_GRADEBOOK_URL"]
        config.HTMLExporter.sanitize_html = True
        config.ExchangeFactory.list = ReleasedList
        return config

    def load_config_file(self, **_options: Any) -> None:
        """Read no file: a configuration file is a program."""

    def initialize(self, argv: list[str] | None = None, root: str = "") -> None:
        """Take our configuration alone."""
        del argv, root
        self.update_config(self.build_extra_config())
        self.coursedir = CourseDirectory(parent=self)

    def init_tornado_settings(self, webapp: Any) -> None:
        """Give the pages our exporter and templates."""
        super().init_tornado_settings(webapp)
        webapp.settings["nbgrader_exporter"] = CleanExporter(config=self.config)
        webapp.settings["nbgrader_jinja2_env"] = page_environment()
        webapp.settings["bioskills_run"] = os.environ["BIOSKILLS_RUN"]

    def init_handlers(self, webapp: Any) -> None:
        """Register the pages that are open here, each below the server's address."""
        base = webapp.settings["base_url"].rstrip("/")
        webapp.add_handlers(".*$", [(base + path, *rest) for path, *rest in handlers()])


class FormgraderServer(JupyterHubSingleUser):  # type: ignore[misc]  # jupyterhub is untyped
    """JupyterHub's single-user server around formgrader."""

    load_other_extensions = False
    serverapp_class = BoxedServer

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the one extension of this server."""
        return NAME

    def load_config_file(self) -> None:
        """Close what the hub's own settings leave open; without that, do not serve."""
        try:
            super().load_config_file()
            self._close()
        except Exception:
            self.log.exception("Failed to close what must not be open")
            self.exit(1)

    def _close(self) -> None:
        server = self.config.ServerApp
        server.root_dir = str(COURSE_ROOT)
        server.kernel_manager_class = NoKernels
        server.contents_manager_class = NoContents
        server.terminals_enabled = False
        server.max_body_size = MOST_BODY_BYTES
        server.log_level = "WARN"
        server.tornado_settings = {"log_function": log_what_failed}
        # A person who teaches no more must not be believed for the library's five minutes.
        age = int(os.environ["BIOSKILLS_PERMISSIONS_AGE_S"])
        self.config.HubOAuth.cache_max_age = age
        self.serverapp.update_config(self.config)

    def initialize(self, args: list[str] | None = None) -> None:
        """Add formgrader once the web application is there."""
        super().initialize(args)
        try:
            add_formgrader(self.serverapp)
        except Exception:
            self.log.exception("Failed to add formgrader")
            self.exit(1)


def add_formgrader(server: ServerApp) -> None:
    """Register formgrader's pages and calls at a server."""
    formgrader = Formgrade(parent=server)
    formgrader.root_dir = str(COURSE_ROOT)
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)


def log_what_failed(handler: web.RequestHandler) -> None:
    """Log what broke; neither who came nor what they looked at."""
    if handler.get_status() >= BROKEN:
        path = type(handler).__name__
        handler.settings["nbgrader_formgrader"].log.error("%s failed", path)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": NAME, "app": FormgraderServer}]


def main() -> None:
    """Serve on the socket whose number the command line names."""
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.setblocking(False)
    use_language(os.environ["BIOSKILLS_LANGUAGE"])
    for name in ("RUNTIME", "DATA", "CONFIG"):
        Path(os.environ[f"JUPYTER_{name}_DIR"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    # By its name: run as a program, this module is there twice.
    module = importlib.import_module(NAME)
    module.BoxedServer.listener = listener
    module.FormgraderServer.launch_instance(argv=[])


if __name__ == "__main__":
    # It compiles 35 grammars at import, for a format that nothing here uses.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    main()
