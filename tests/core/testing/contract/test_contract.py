"""The contract has a version, and its cases and faults have names that stay."""

from __future__ import annotations

import inspect

import pytest

from pillarbox import OutcomeUnknown, Receipt
from pillarbox.testing import CONTRACT_VERSION, FAULTS, TransportContract
from pillarbox.testing._contract._running import cases_of

CASES = {
    "1": """
a_batch_arrives_in_order
a_batch_closed_early_tells_what_it_handed_over
a_batch_gives_one_answer_each_in_order
a_batch_goes_on_behind_a_lost_line
a_batch_goes_on_behind_a_refusal
a_batch_has_one_message_in_doubt_at_most
a_large_message_arrives_whole
a_line_cut_after_the_hand_over_is_unknown
a_line_cut_before_the_hand_over_is_deferred
a_line_cut_inside_the_content_is_never_called_accepted
a_look_after_a_lost_answer_is_honest
a_look_sends_nothing
a_look_that_fails_is_unclear
a_mark_that_fails_lets_nothing_leave
a_message_of_the_size_that_it_declares_is_taken
a_quoted_local_part_is_exact_or_refused
a_receipt_carries_our_message_id
a_recipient_refused_for_now_is_told_from_one_refused_for_good
a_refused_credential_needs_a_sign_in
a_refused_recipient_does_not_stop_the_others
a_refused_sender_is_rejected
a_sender_refused_for_now_is_deferred
a_sign_in_refused_for_now_is_deferred
all_recipients_refused_for_good_is_rejected
all_recipients_refused_for_now_is_deferred
an_empty_batch_is_empty
an_instance_works_in_a_forked_process
an_international_local_part_is_exact_or_refused
another_transport_sees_the_same
as_many_recipients_as_it_declares_are_taken
attachments_of_every_kind_arrive
bcc_gets_it_and_is_not_shown
bytes_in_pieces_are_untouched
called_off_at_the_last_moment_nothing_leaves
called_off_before_the_hand_over_nothing_leaves
check_tells_what_is_wrong
check_yields_findings_and_sends_nothing
closing_a_line_that_is_gone_is_no_error
closing_twice_is_no_error
content_refused_for_now_is_deferred
hostile_bytes_are_untouched
it_can_be_used_after_a_lost_line
it_can_be_used_after_a_refusal
it_can_be_used_after_it_was_closed
killed_after_the_answer_it_is_never_called_unsent
killed_at_a_note_it_is_never_called_unsent
killed_at_the_mark_it_is_never_called_unsent
killed_before_the_hand_over_nothing_left
killed_while_it_waits_for_the_answer_it_is_never_called_unsent
limits_are_positive
no_proof_is_given_for_a_strangers_address
no_secret_is_told_when_all_goes_well
no_secret_is_told_when_the_credential_is_refused
nonsense_after_the_hand_over_is_unknown
nothing_is_accepted_before_the_hand_over
nothing_is_printed
one_send_is_one_message
receipts_survive_pickle
refused_content_is_rejected
send_marks_the_hand_over_in_its_code
several_instances_at_once_do_not_mix
silence_after_the_hand_over_is_unknown
silence_before_the_hand_over_is_deferred
the_account_is_told_in_words
the_account_that_the_client_used_is_told
the_bytes_are_untouched
the_envelope_is_exact
the_hand_over_is_marked
the_null_sender_is_exact_or_refused
the_settings_can_be_drawn_as_a_form
unreachable_is_deferred
what_core_must_know_is_declared
what_is_declared_needs_no_network_and_no_sdk
what_recognises_a_key_sends_nothing_twice
what_says_that_it_can_look_sees_what_was_accepted
what_was_accepted_is_never_called_absent
what_was_never_sent_is_never_called_sent
"""
}
STAGES = {
    "1": """
content refused
content refused for now
credential refused
credential refused for now
cut after
cut before
cut inside
nonsense after
one recipient refused
one recipient refused for now
recipient refused
recipient refused for now
second message lost
second message refused
sender refused
sender refused for now
silent after
silent before
unreachable
"""
}


def test_the_cases_of_this_version_are_these():
    """Whoever adds, removes or renames one makes another version."""
    assert sorted(cases_of(TransportContract)) == CASES[CONTRACT_VERSION].split()


def test_the_faults_of_this_version_are_these():
    """An author's `stage` is written by their names."""
    assert sorted(FAULTS) == STAGES[CONTRACT_VERSION].strip().splitlines()


@pytest.mark.parametrize("name", list(cases_of(TransportContract)))
def test_a_case_says_in_a_sentence_what_it_demands(name):
    """Its docstring is the author's documentation."""
    sentence, _, rest = (inspect.getdoc(cases_of(TransportContract)[name]) or "").partition("\n")
    assert rest.startswith("\n") or not rest
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_says_what_the_carrier_does_and_never_allows_a_lie(name):
    """Before the hand-over nothing is unknown; after all of it nothing is known."""
    fault = FAULTS[name]
    assert fault.does.endswith(".")
    if fault.handed_over is False:
        assert not {OutcomeUnknown, Receipt} & set(fault.ends_in)
    if name.endswith(" after"):
        assert (fault.ends_in, fault.handed_over) == ((OutcomeUnknown,), True)


def test_every_fault_is_used_by_a_case():
    """Nobody is asked for what is not looked at."""
    source = "".join(inspect.getsource(inspect.getmodule(base)) for base in TransportContract.__mro__[1:-1])
    assert [name for name in FAULTS if f'"{name}"' not in source] == []
