"""What a test may claim of the campaigns that were accepted, and what it is told when that does not hold."""

import pytest

from voicedrop_async import ClientCredentials, OutcomeUnknown, RouteeSession, SpokenMessage, VoiceCampaign


async def test_a_claim_that_does_not_hold_says_why(voicedrop_sandbox):
    """And shows no number whole."""
    here = voicedrop_sandbox
    campaign = VoiceCampaign("306900000000", to=["+306912345678"], name="Spring sale", message=SpokenMessage("Hello"))
    auth = ClientCredentials(*here.credentials)
    async with RouteeSession(auth, base_url=here.routee_url, auth_url=here.auth_url) as routee:
        here.assert_nothing_sent()
        with pytest.raises(AssertionError, match=r"^0 sends of 'Autumn', expected 1; accepted: none; POST /voice/campaign: no request$"):
            here.assert_sent_once("Autumn")
        await routee.send_campaign(campaign)
        assert here.assert_sent_once("Spring sale") is here.campaigns[0]
        here.assert_nobody_called_twice()
        here.fail_next(drop="after_acting", path="/voice/campaign")
        with pytest.raises(OutcomeUnknown):
            await routee.send_campaign(campaign)
    told = r"accepted: 'Spring sale' \(2\); POST /voice/campaign: 200, not answered$"
    with pytest.raises(AssertionError, match=rf"^2 sends of a campaign, expected 1; {told}"):
        here.assert_sent_once()
    with pytest.raises(AssertionError, match=rf"^2 sends, expected none; {told}"):
        here.assert_nothing_sent()
    with pytest.raises(AssertionError, match=r"^called more than once: \+3069\*\*\*78 2 times; accepted: 'Spring sale' \(2\)$"):
        here.assert_nobody_called_twice()
