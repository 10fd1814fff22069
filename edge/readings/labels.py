"""Columns that hold labels and no readings, by their names in seven languages and by what is in them."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from edge.readings.numbers import loose_number

_FIRST = ("anomaly", "label", "is_anomaly", "changepoint", "change_point", "anomaly_label", "fault", "outlier")
"""The commonest, in the order in which they are looked for."""
_LANGUAGES = {
    "English": "anomaly anomalies anomalous abnormal attack breakdown changepoint class defect error failure fault "
    "faulty groundtruth label labels novelty outlier target ytrue",
    "German": "angriff anomalie anomal ausfall ausreisser defekt fehler klasse schaden stoerfall stoerung storung",
    "French": "anomalie attaque classe defaillance defaut erreur etiquette panne",
    "Spanish": "anomalia ataque averia clase error etiqueta falla fallo",
    "Italian": "anomalia attacco avaria classe difetto errore etichetta guasto",
    "Portuguese": "anomalia ataque avaria classe defeito erro etiqueta falha rotulo",
    "Dutch": "aanval anomalie defect fout klasse label storing uitval",
}
"""Words for a fault, an anomaly or a label, without accents."""
_WORDS = frozenset(word for words in _LANGUAGES.values() for word in words.split())
_BESIDE = frozenset(("binary", "code", "flag", "id", "is", "machine", "no", "normal", "number", "typ", "type", "y"))
"""Words that may stand beside them: `is_fault`, `Normal/Attack`, `fault_type`. Any other makes it a quantity of its
own: `target_temperature`, `fault_current`."""
_TOGETHER = frozenset(("groundtruth", "ytrue", "changepoint"))
"""Names of two words, neither of which says it alone."""
_MOST_CLASSES = 32
"""Different values of labels: the Tennessee Eastman process, often benchmarked, has 22 fault numbers."""
_LEAST, _MOST = -1, 30
"""Range of labels that are numbers: -1 is an outlier in scikit-learn. A setpoint `target` of 60 is no label."""
_NORMAL = frozenset(
    ("", "normal", "ok", "nan", "none", "nein", "nee", "non", "nao", "não", "n", "good", "gut", "healthy", "benign",
     "nominal", "normale", "normaal")
)  # fmt: skip
"""Words that say that nothing is wrong, beside those of a state that is off: false, no, aus."""
_MINUS = frozenset(("-1", "-1.0", "-1,0"))
_ONE = frozenset(("1", "1.0", "1,0"))


def names_labels(name: str) -> bool:
    """Whether a column's name says that it holds labels, whatever its case, accents and separators.

    >>> [names_labels(name) for name in ("isAnomaly", "Störung", "y_true", "Normal/Attack", "target temperature")]
    [True, True, True, True, False]
    """
    words = [word for word in _words(name) if not word.isdigit()]
    if "".join(words) in _TOGETHER:
        return True
    return any(word in _WORDS for word in words) and all(word in _WORDS or word in _BESIDE for word in words)


def find_labels(header: Sequence[str]) -> str | None:
    """The column that is most likely the labels', by its name; None where there is none."""
    lower = {name.lower(): name for name in reversed(header)}
    named = [lower[name] for name in _FIRST if name in lower]
    return next((name for name in [*named, *header] if names_labels(name)), None)


def holds_labels(numbers: Collection[float], words: Collection[str]) -> bool:
    """Whether a column's different values are few classes: small whole numbers, or words where it holds no numbers."""
    if not numbers:
        return 0 < len({word for word in words if word}) <= _MOST_CLASSES
    whole = all(number == round(number) for number in numbers)
    return whole and len(set(numbers)) <= _MOST_CLASSES and min(numbers) >= _LEAST and max(numbers) <= _MOST


def outliers_are_minus_one(cells: Iterable[str]) -> bool:
    """Whether only 1 and -1 occur: then -1 is anomalous, as in scikit-learn."""
    found = {str(cell).strip() for cell in cells} - {""}
    return bool(found & _MINUS) and found <= _MINUS | _ONE


def label_of(cell: str, minus_is_anomalous: bool) -> bool | None:
    """Whether a label says anomalous; None where it says that nobody judged.

    >>> [label_of(cell, False) for cell in ("1", "0", "attack", "normal", "nein", "-1")], label_of("-1", True)
    ([True, False, True, False, False, None], True)
    """
    text = cell.strip().lower()
    if text in _MINUS:
        return True if minus_is_anomalous else None
    if minus_is_anomalous or text in _NORMAL:
        return False
    number = loose_number(text.replace(",", "."))
    return number is None or number != 0


def _words(name: str) -> list[str]:
    """Lower-case words without accents; they end at separators, at digits and where a capital follows a small letter.

    >>> _words("isFault_2é")
    ['is', 'fault', '2', 'e']
    """
    apart = re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])", " ", name)
    plain = unicodedata.normalize("NFKD", apart.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[^\W\d_]+|\d+", plain)
