# Sourced by the tests: puts the Python environment that they share first in PATH, with the packages of these requirement files.
# Tests run at the same time; the lock makes one wait while another installs. Needs TOOLS_DIR (see README.md).
use_python_packages() {
    local requirements=() file
    for file; do requirements+=(-r "$file"); done
    mkdir -p "$TOOLS_DIR"
    (
        flock 9
        [ -x "$TOOLS_DIR/venv/bin/pip" ] || python3 -m venv "$TOOLS_DIR/venv"
        "$TOOLS_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${requirements[@]}"
    ) 9>"$TOOLS_DIR/venv.lock"
    export PATH=$TOOLS_DIR/venv/bin:$PATH
}
