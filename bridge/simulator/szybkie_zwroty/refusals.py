"""How Szybkie Zwroty says no. No page shows it: a text inside `error`, as working clients read it."""

from __future__ import annotations

from typing import Final

from bridge.simulator.errors import SimulatorError

TEXTS: Final = {
    "AccessDenied": "Nieprawidłowy login lub hasło",
    "ServiceDisabled": "Usługa szybkich zwrotów nie jest włączona",
    "UnknownFunction": "Nieznana funkcja",
    "InvalidXml": "Nieprawidłowy dokument XML",
    "Required": "Brak wymaganego pola",
    "Invalid": "Nieprawidłowa wartość pola",
    "CodeNotFound": "Nie znaleziono kodu",
    "CodeActive": "Kod jest już aktywny",
    "CodeUsed": "Kod został wykorzystany",
    "CodeInvalid": "Kod został unieważniony",
    "NoCodesLeft": "Wyczerpano limit kodów",
    "RmaExists": "Kod dla tego numeru RMA już istnieje",
    "Internal": "Błąd serwera",
}


class Refused(SimulatorError):
    """A refusal: a word for it, and the element that it is about. What was sent is never repeated."""

    def __init__(self, key: str, element: str | None = None) -> None:
        self.key = key
        self.element = element
        super().__init__(key)

    @property
    def text(self) -> str:
        return f"{TEXTS[self.key]}: {self.element}" if self.element else TEXTS[self.key]
