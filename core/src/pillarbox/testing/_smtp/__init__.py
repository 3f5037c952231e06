"""The parts of the scripted SMTP server; its door is `pillarbox.testing.smtp_server`."""
