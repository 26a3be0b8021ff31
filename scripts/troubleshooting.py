#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# scripts/troubleshooting.py PAGE: print docs/troubleshooting.md with what follows its marker
# made anew: mkbootimg(1), DIAGNOSTICS, and the sentences with which kernels are refused,
# from the sources.  "make docs" writes that into the page, tests/cli/manual.sh compares.

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARKER = "<!-- What follows is made by make docs: change the manual or the sources. -->\n"

# ---- mdoc, as far as DIAGNOSTICS has it ----------------------------------------------


def words(line):
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', line)]


def plain(text):
    return text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


CODE = {"Fl": "-", "Pa": "", "Cm": "", "Ev": "", "Ar": "", "Dv": "", "Li": "", "Ic": ""}


def inline(macros):
    """Words of a macro line as Markdown."""
    if macros[0] == "Ql":
        end = macros.pop() if macros[-1] in (",", ".") else ""
        return "`" + plain(" ".join(macros[1:]).replace(" :", ":")) + "`" + end
    out, macro = "", None
    for word in macros:
        if word in ("Pq", "Po", "Pc", "Ns", "No"):
            out, macro = out.rstrip(" ") if word in ("Ns", "Pc") else out, None
            out += {"Pq": "(", "Po": "(", "Pc": ")"}.get(word, "")
        elif word in ("Ap",) or word in CODE or word in ("Xr", "Nm", "Va", "Ql", "Dq", "Qq", "Sx", "Em", "Sy"):
            macro = word
            if word == "Nm":
                out += "`mkbootimg` "
        elif word in (",", ".", ":", ";", ")"):
            out = out.rstrip(" ") + word + " "
        elif word == "(":
            out += "("
        elif macro == "Xr":
            out, macro = out + word + "(", "section"
        elif macro == "section":
            out, macro = out + word + ") ", None
        elif macro in CODE:
            out += "`" + CODE[macro] + plain(word) + "` "
        elif macro in ("Va", "Em"):
            out += "*" + plain(word) + "* "
        elif macro in ("Dq", "Qq"):
            out += '"' + plain(word) + '" '
        else:
            out += plain(word) + " "
    out = out.rstrip(" ").replace("` `", " ")
    return re.sub(r"([.,;:]?)$", r")\1", out, count=1) if macros[0] == "Pq" else out


def sentence_code(sentence):
    return "`" + plain(sentence) + "`"


def diagnostics():
    lines = (ROOT / "man/mkbootimg.1").read_text().split(".Sh DIAGNOSTICS\n")[1].split(".Sh ")[0]
    text, sentences = [], []

    def flush():
        if text:
            yield " ".join(text) + "\n"
            text.clear()

    for line in lines.splitlines():
        macros = words(line[1:]) if line.startswith(".") else None
        if macros and macros[0] == "It":
            yield from flush()
            sentences.append(sentence_code(macros[2]))
            continue
        if sentences:
            yield "### " + sentences[0] + "\n"
            if sentences[1:]:
                yield "Or " + ", ".join(sentences[1:]) + ".\n"
            sentences.clear()
        if macros is None:
            text.append(plain(line))
        elif macros[0] == "Ss":
            yield from flush()
            yield "## Sentences " + " ".join(macros[1:]).lower() + "\n"
        elif macros[0] in ("Bl", "El", "Pp"):
            yield from flush()
        elif macros[0] in ("Pq", "Ns", "Ql", "Nm", "Xr", "Va", "Em", "Sx", "Dq", "Qq") or macros[0] in CODE:
            text.append(inline(macros))
        else:
            sys.exit(f"scripts/troubleshooting.py: {line}: a macro that it does not know")
    yield from flush()


# ---- Kernels that are refused ----------------------------------------------------------

STRING = r'("(?:[^"\\]|\\.)*"(?:\s*(?:"(?:[^"\\]|\\.)*"|PRI\w+))*)'
REFUSAL = re.compile(
    r"error_set\(\s*\w+,\s*ERROR_INPUT,[^;\"]*?" + STRING + r"[^;]*;"
    r"(?:\s*return)?\s*error_hint\(\s*\w+,\s*" + STRING)


def unformat(literal):
    """A string of C's as people read it: values become "..."."""
    text = re.sub(r'%[-+#0-9.*]*"\s*PRI\w+(?:\s*")?', "...", literal)
    text = re.sub(r'"\s*"', "", text).strip().strip('"')
    text = re.sub(r"%[-+#0-9.*]*(?:hh|h|ll|l|z|j)?([a-zA-Z%])", lambda m: "%" if m[1] == "%" else "...", text)
    return re.sub(r"\.{4,}", "...", text).replace('\\"', '"')


def refusals():
    rows = set()
    for source in sorted(ROOT.glob("tool/*/*.c")):
        for match in REFUSAL.finditer(source.read_text()):
            sentence, hint = map(unformat, match.groups())
            rows.add((sentence, hint))
    yield "## Kernels that are refused, and what to do\n"
    yield ("Those whose second line says what to do, in the order of the alphabet; `...` is a name or a "
           "number.\n")
    yield "| sentence | what to do |\n|---|---|\n" + "".join(
        "| `" + sentence + "` | " + hint.replace("<", "&lt;") + " |\n"
        for sentence, hint in sorted(rows))


head = pathlib.Path(sys.argv[1]).read_text().split(MARKER)[0]
print(head + MARKER, *diagnostics(), *refusals(), sep="\n", end="")
