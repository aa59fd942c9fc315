"""Makes `python -m sharing_service.cli` the command `sharing-service`, for the children of `serve`."""

from sharing_service.cli.main import main

if __name__ == "__main__":  # a process that multiprocessing spawns imports this module again
    main()
