"""Somebody before a browser: headless Chromium that signs in at the provider's pages, allows, unticks or cancels."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

import attrs

from tests.oauth.program import CURE, FOLDER

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

ALICE: Final = "alice@contoso.test"
_PROGRAMS: Final = ("chromium", "chromedriver", "setpriv")
_MORTAL: Final = FOLDER / "mortal"
"""The same two, each of which ends with whoever started it."""
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--ignore-certificate-errors",  # whether a certificate is right is for the apps to say
)
_DEADLINE_S: Final = 40.0
_STEPS: Final = 12
"""More pages than any sign-in has."""
_ENDS: Final = {"", "done", "refused"}
"""Pages on which nobody has anything more to say: those of others, and the provider's last ones."""
_LEAVING: Final = "window.isLeft = true"
_ARRIVED: Final = "return !window.isLeft && document.readyState === 'complete' && document.body && [document.body.dataset.step || '']"
"""The next page's name in a list, once all of it is there; before that nothing."""


@attrs.frozen
class Page:
    """Where somebody ended: the URL, what stood there, and the provider's name for the page ("" for another's)."""

    url: str
    text: str
    step: str = ""


@attrs.frozen(kw_only=True)
class _Person:
    """What somebody says on the pages."""

    account: str
    cancel: bool
    untick: frozenset[str]
    code: str

    def answer(self, step: str, page: Chrome) -> WebElement:
        """Fill in the page and return the button to press."""
        fields = {
            "sign-in": ("address", self.account),
            "admin": ("address", self.account),
            "code": ("user_code", self.code),
        }
        if step in fields:
            name, said = fields[step]
            _typed(page, name, said)
        if step == "consent":
            self._untick(page)
        stops = self.cancel and step in {"consent", "admin", "confirm"}
        return _button(page, ("abort" if step == "confirm" else "cancel") if stops else "go")

    def _untick(self, page: Chrome) -> None:
        for box in page.find_elements("name", "scope"):
            if box.get_attribute("value") in self.untick:
                box.click()


class Browser:
    """Chromium, started once; each sign-in begins without a cookie."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        self._one_at_a_time = threading.Lock()

    def sign_in(
        self,
        url: str,
        account: str = ALICE,
        *,
        cancel: bool = False,
        untick: Iterable[str] = (),
        code: str = "",
    ) -> Page:
        """Open *url*, sign in as *account*, and return the page it ended on.

        Args:
            url: The provider's page, or what leads there.
            account: Who signs in.
            cancel: Whether they cancel where they are asked for consent.
            untick: The scopes whose boxes they untick.
            code: The code of a device, which they enter.

        Raises:
            selenium's TimeoutException: A page did not come in time.
            AssertionError: The pages go on for ever.
        """
        person = _Person(account=account, cancel=cancel, untick=frozenset(untick), code=code)
        with self._one_at_a_time:
            self._driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
            self._open(url)
            return self._walk(person)

    def opener(self, account: str = ALICE, *, cancel: bool = False, untick: Iterable[str] = ()) -> Opener:
        """Return what opens an URL as `webbrowser` does, without waiting; its `ended()` waits and says where it ended."""
        return Opener(lambda url: self.sign_in(url, account, cancel=cancel, untick=untick))

    def open(self, url: str) -> Page:
        """Open *url* with the cookies there are, and return the page."""
        with self._one_at_a_time:
            self._open(url)
            return self._seen("")

    def _walk(self, person: _Person) -> Page:
        for _ in range(_STEPS):
            step = self._step()
            if step in _ENDS:
                return self._seen(step)
            self._press(person.answer(step, self._driver))
        raise AssertionError(f"the pages go on for ever: {self._seen(step)}")

    def _step(self) -> str:
        """Wait for the page that comes, and return the provider's name for it."""
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver.support.wait import WebDriverWait

        arriving = WebDriverWait(self._driver, _DEADLINE_S, 0.05, ignored_exceptions=[WebDriverException])
        (step,) = arriving.until(lambda driver: driver.execute_script(_ARRIVED))
        return str(step)

    def _press(self, button: WebElement) -> None:
        self._driver.execute_script(_LEAVING)
        button.click()

    def _open(self, url: str) -> None:
        from selenium.common.exceptions import WebDriverException

        try:
            self._driver.get(url)
        except WebDriverException as error:
            if "net::ERR" not in str(error):  # nobody is there: what counts is the URL
                raise

    def _seen(self, step: str) -> Page:
        return Page(self._driver.current_url, self._driver.find_element("tag name", "body").text, step)


class Opener:
    """Opens an URL in a thread."""

    def __init__(self, sign_in: Callable[[str], Page]) -> None:
        self._sign_in = sign_in
        self._end: Future[Page] = Future()

    def __call__(self, url: str) -> None:
        """Begin."""
        threading.Thread(target=self._run, args=(url,), daemon=True).start()

    def ended(self) -> Page:
        """Wait, and return the page it ended on."""
        return self._end.result(_DEADLINE_S)

    def _run(self, url: str) -> None:
        try:
            self._end.set_result(self._sign_in(url))
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._end.set_exception(error)


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Give a running browser.

    Raises:
        RuntimeError: It is not installed.
    """
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        raise RuntimeError(f"There is no {' and no '.join(missing)}. {CURE}")
    driver = _driver()
    try:
        yield Browser(driver)
    finally:
        driver.quit()


def _driver() -> Chrome:
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = str(_MORTAL / "chromium")
    for option in _OPTIONS:
        options.add_argument(option)
    driver = Chrome(options=options, service=ChromeService(str(_MORTAL / "chromedriver")))
    driver.set_page_load_timeout(_DEADLINE_S)
    return driver


def _typed(page: Chrome, name: str, said: str) -> None:
    field = page.find_element("name", name)
    field.clear()
    field.send_keys(said)


def _button(page: Chrome, name: str) -> WebElement:
    return page.find_element("css selector", f"button[name={name}]")
