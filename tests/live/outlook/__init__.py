"""What only a real Outlook can show: `py -m tests.live.outlook --to YOU`, on a Windows computer with classic Outlook."""
