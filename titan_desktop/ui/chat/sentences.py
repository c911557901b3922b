"""What the conversation says about itself: why an answer failed and what to do, as sentences in the person's language.

Qt looks the translation up at each call, so a sentence is asked for when it is shown and never kept.
"""

from PySide6.QtCore import QCoreApplication

from titan_desktop.contracts.chat import Fault

SETTINGS_URL = "titan:settings"
"""What `link_activated` carries when the person asks for the settings."""


def fault_sentence(fault: Fault | None) -> str:
    """Which fault it is, and what the person can do."""
    translate = QCoreApplication.translate
    match fault:
        case Fault.WRONG_KEY:
            return translate("Fault", "The key was not accepted. Check the key in the settings.")
        case Fault.UNREACHABLE:
            return translate(
                "Fault",
                "The model's server cannot be reached. Check the connection and the address in the settings.",
            )
        case Fault.MODEL_NOT_FOUND:
            return translate(
                "Fault", "The server does not have this model. Choose another model in the settings."
            )
        case Fault.RATE_LIMITED:
            return translate("Fault", "Too many requests in a short time. Wait a minute, then try again.")
        case Fault.QUOTA_EXCEEDED:
            return translate(
                "Fault",
                "The account's credit is used up. Top it up, or choose another model in the settings.",
            )
        case Fault.CONTEXT_TOO_LONG:
            return translate(
                "Fault",
                "The conversation is too long for this model. Start a new conversation or choose a larger model.",
            )
        case Fault.TIMED_OUT:
            return translate(
                "Fault", "The model did not answer in time. Try again, or choose a faster model."
            )
        case Fault.REFUSED:
            return translate("Fault", "The model refused this request. Put the question differently.")
        case Fault.SERVER_ERROR:
            return translate("Fault", "The model's server has a fault of its own. Try again in a while.")
        case _:
            return translate("Fault", "Titan made a mistake. Try again; `titan doctor` shows what is wrong.")


def cured_in_settings(fault: Fault | None) -> bool:
    """Whether the settings are the place to mend it."""
    return fault in {Fault.WRONG_KEY, Fault.UNREACHABLE, Fault.MODEL_NOT_FOUND, Fault.QUOTA_EXCEEDED}


def connect_hint() -> str:
    """How to get written answers when no model is connected."""
    return QCoreApplication.translate(
        "Hint",
        "No model is connected. For written answers, enter an OpenAI key in the settings, "
        "or run a local Ollama: then nothing leaves this computer.",
    )


def nothing_found(folders: str) -> str:
    """Nothing was found, and where Titan looked. `folders` is a readable list, "" when it is not known."""
    translate = QCoreApplication.translate
    if not folders:
        return translate("Hint", "Nothing was found in your files. Try other words.")
    return translate(
        "Hint", "Nothing was found in {folders}. Try other words, or add folders in the settings."
    ).format(folders=folders)
