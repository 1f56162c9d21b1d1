"""Is a STIX bundle valid, by OASIS's own validator? What is wrong with the bundle it came from may be wrong with it too.

    python3 stix.py FILE [ORIGINAL]
"""

import sys

from stix2validator import ValidationOptions, validate_file


def errors(path):
    """The errors of a file, in words, without the places where they stand."""
    result = validate_file(path, ValidationOptions(version="2.1"))
    found = [str(error) for part in result.object_results for error in part.errors or []]
    if result.fatal:
        found.append(str(result.fatal))
    return {error.split(": ", 1)[-1] for error in found}, result.is_valid


def main(path, original=None):
    found, is_valid = errors(path)
    before = errors(original)[0] if original else set()
    new = found - before
    for error in sorted(new):
        print(error)
    print(f"{path}: {'valid' if is_valid else f'{len(found)} errors'}, {len(new)} of them new")
    return 1 if new or (not is_valid and not original) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
