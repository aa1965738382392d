"""The window's words in the user's language.

English words are the keys: `self.tr("Close")` in a widget, `tr("Close")` elsewhere, `mark("Close")` in a table that is
made when its module is imported (whoever shows it calls `tr`). Rooms below the window write finished English
sentences, which the command line prints; whoever shows one in the window says `told(error)`, which knows it again by
its fixed words and says it with the same values in the language. tests/sentences.py finds them in the source.
Values go in afterwards, `tr("{0} of {1}").format(a, b)`, so that a translation may move them. A catalogue is
`resources/translations/LANGUAGE.po`, read at run time; whatever it lacks is shown in English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

ENGLISH = "en"
SYSTEM = "system"
FEWEST_LETTERS = 3  # a text of little more than holes would match anything
STEM = 4  # letters of a side's word that stay whatever its ending
HOLE = re.compile(r"\{(\d+)\}")
KEPT = 1024  # sentences that were said before
JOINTS = (": ", "; ", ", ")  # between the parts of what rooms below put together: place, problem, remedy


class Catalogue(QTranslator):
    """English -> another language, for all of Qt's ways to ask, whatever class asks."""

    def __init__(self, code: str, texts: Mapping[str, str], parent: QCoreApplication) -> None:
        super().__init__(parent)
        self.code, self.texts = code, texts
        self._shapes: list[tuple[re.Pattern[str], str]] | None = None
        self.sentence = lru_cache(KEPT)(self._sentence)

    def isEmpty(self) -> bool:
        """Qt asks before it uses a translator."""
        return not self.texts

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str | None:
        """The words for an English text; None where there are none, so that Qt shows the English."""
        return self.texts.get(text)

    def _sentence(self, text: str) -> str:
        """A finished English sentence with its values in it, said anew with the same values.

        A value may be a sentence itself (why a file could not be read); what is only joined of several is said
        part by part.
        """
        if text in self.texts:
            return self.texts[text]
        for shape, words in self._patterns():
            found = shape.fullmatch(text)
            if found is not None:
                return HOLE.sub(lambda hole, values=found: self._value(values[f"hole{hole[1]}"]), words)
        for joint in JOINTS:
            first, found, rest = text.partition(joint)
            said = f"{self.sentence(first)}{joint}{self.sentence(rest)}" if found else text
            if said != text:
                return said
        return f"{self.sentence(text[:-1])}." if text.endswith(".") else text

    def _value(self, value: str) -> str:
        """A value as it is; words of ours in it are said in the language."""
        said = self.sentence(value) if " " in value.strip() else value
        return named(value) if said == value else said

    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Those with most fixed words first: "The folder {0} is missing." before "The {0} is missing."."""
        if self._shapes is None:
            fixed = {key: len(HOLE.sub("", key).strip(" .,:;()")) for key in self.texts if HOLE.search(key)}
            holed = sorted((key for key in fixed if fixed[key] > FEWEST_LETTERS), key=lambda key: -fixed[key])
            self._shapes = [(_shape(key), self.texts[key]) for key in holed]
        return self._shapes


def _shape(key: str) -> re.Pattern[str]:
    """What matches a sentence made from an English text with holes; a hole that comes again holds the same."""
    parts, seen = [], set()
    for n, part in enumerate(HOLE.split(key)):
        if n % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P=hole{part})" if part in seen else f"(?P<hole{part}>.*?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def mark(text: str) -> str:
    """Words of a table, to be found for the catalogue; they are translated where they are shown."""
    return text


# Why the system refuses something, as errors from below quote it.
REASONS = (
    mark("No such file or directory"), mark("Permission denied"), mark("No space left on device"),
    mark("Is a directory"), mark("Not a directory"), mark("Read-only file system"), mark("File name too long"),
    mark("Input/output error"), mark("Disk quota exceeded"), mark("Too many open files"), mark("File exists"),
    mark("Operation not permitted"),
)  # fmt: skip


def tr(text: str) -> str:
    """English words in the user's language."""
    return QCoreApplication.translate("", text)


def several(number: int, one: str, many: str) -> str:
    """One of something or many of it, in the user's language; both come marked, `many` with {0} for the number."""
    return tr(one) if number == 1 else tr(many).format(QLocale().toString(number))


def told(sentence: object) -> str:
    """A sentence from the rooms below the window (an error, the name of an edit) in the user's language."""
    used = _catalogue()
    return used.sentence(str(sentence)) if used is not None else str(sentence)


def named(landmark: str) -> str:
    """A landmark's name as the window says it: those of built-in schemas are translated, with their numbers."""
    used = _catalogue()
    if used is None or landmark in used.texts:
        return tr(landmark)
    base, _, number = landmark.rpartition(" ")
    return f"{tr(base)} {number}" if base and number.isdecimal() else landmark


def shortened(name: str) -> str:
    """A landmark's name with its side as one letter, for a narrow line; the tooltip has it whole."""
    side, _, rest = name.partition(" ")
    sides = tuple(tr(word)[:STEM] for word in (mark("Left"), mark("Right")))  # "Linkes Auge" begins as "Links" does
    return f"{side[0]} {rest}" if side.startswith(sides) and rest else name


def spoken() -> str:
    """The code of the language in which the window speaks."""
    used = _catalogue()
    return used.code if used is not None else ENGLISH


def _catalogue() -> Catalogue | None:
    app = QCoreApplication.instance()
    found = app.findChildren(Catalogue) if app is not None else []
    return found[-1] if found else None


@cache
def languages() -> dict[str, str]:
    """Code -> name in its own language: English, and whatever has a catalogue."""
    folder = resources.files("resources") / "translations"
    codes = sorted(entry.name[:-3] for entry in folder.iterdir() if entry.name.endswith(".po"))
    return {code: QLocale(code).nativeLanguageName().title() for code in (ENGLISH, *codes)} | {ENGLISH: "English"}


def language(choice: str) -> str:
    """The code of the language to speak: the chosen one, or the first of the system's that we have."""
    if choice in languages():
        return choice
    for wanted in QLocale.system().uiLanguages():
        code = wanted.split("-")[0]
        if code in languages():
            return code
    return ENGLISH


def texts(code: str) -> dict[str, str]:
    """English -> translated, of a catalogue; entries that wait for a translator are left out."""
    import polib  # only who speaks another language waits for it

    found = polib.pofile((resources.files("resources") / "translations" / f"{code}.po").read_text("utf-8"))
    return {entry.msgid: entry.msgstr for entry in found if entry.msgstr and not entry.obsolete}


def _locale(code: str) -> QLocale:
    """How numbers and dates are written: as the system does where it has the language."""
    system = QLocale.system()
    return system if system.language() == QLocale(code).language() else QLocale(code)


def speak(app: QCoreApplication, choice: str) -> str:
    """Say everything in a language, numbers and Qt's own dialogs too; returns its code.

    Widgets that exist keep their words.
    """
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.setParent(None)
    code = language(choice)
    QLocale.setDefault(_locale(code))
    if code != ENGLISH:
        theirs = QTranslator(app)
        if theirs.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(theirs)
        app.installTranslator(Catalogue(code, texts(code), app))
    return code
