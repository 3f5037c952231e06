"""The codes of what a change of method would bring, each with its meaning: for the documentation and its tests."""

from __future__ import annotations

from collections.abc import Mapping

FINDINGS: Mapping[str, str] = {
    "change-none": "The account sends by this method already.",
    "change-not-installed": "The method is not installed, or can't be loaded.",
    "change-elsewhere": "The method does not work on this computer.",
    "change-settings": "Settings of the method are missing, or can't be used.",
    "change-registration": "The registration of the provider in [apps] is missing, or can't be used.",
    "change-connect": "Somebody has to connect the account before anything is sent.",
    "change-connected": "The account is connected already, as who has to be.",
    "change-from-kept": "Mail would show the addresses that it shows now.",
    "change-from": "A writer's mail would show another address than now.",
    "change-from-unproven": "The account is not known to be allowed to show a writer's address.",
    "change-writer-stopped": "A writer who can send now could not any more.",
    "change-writer-begins": "A writer who can't send now could.",
    "change-reply-to": "Answers to a writer's mail would go elsewhere.",
    "change-bounces": "What can't be delivered of a writer's mail would come back to another address.",
    "change-doubtful": "Something about the way would be doubtful that is not now.",
    "change-more-writers": "What was found of further writers of the same kind, who are not listed.",
    "change-personal": "How many users have an account of their own, which stays as it is.",
    "change-copy": "Sent copies would be kept elsewhere, or not at all.",
    "change-look": "Whether a mail in doubt after a crash could be looked for.",
    "change-partial": "Recipients that are refused for now could not be tried again alone.",
    "change-options": "Messages of the past asked for something that only the method of now does.",
    "change-no-history": "There is no outbox, or nothing in it, so sizes and rates can't be compared.",
    "change-size": "Messages of the past were larger than the account would take.",
    "change-size-fits": "Every message whose size is known would have been small enough.",
    "change-size-unknown": "The method says no largest size in advance, or the sizes of the past are not known.",
    "change-recipients": "Messages of the past had more recipients than the account would take at once.",
    "change-rate": "More was sent in a minute, or a day, than the account would take.",
    "change-rate-fits": "What was sent in the busiest minute and day would have been taken.",
    "change-waiting": "Mail that waits, and may go by the account as it would be.",
    "change-waiting-held": "Mail that waits, and would be held for a person.",
}
"""What `pillarbox advise` and `Mailer.advise` may say."""
