#!/bin/sh
# Nothing is started by installing it: a container starts one program, and says which.
exit 101
