"""A development inbox: catches every mail on a loopback port, sends none on, and shows it on a page."""
