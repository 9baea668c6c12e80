# SPDX-License-Identifier: MIT
"""A real Chromium with a profile of its own."""
import json
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from . import netlink
from .ports import free_port

CHROMIUM, CHROMEDRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
WAIT_S = 30
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--disable-background-networking",
           "--no-first-run", "--disable-component-update", "--disable-sync", "--lang=en")


class Browser:
    """A thin layer over the driver: paths instead of URLs, and every wait has a bound."""

    def __init__(self, site, profile):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in OPTIONS + (f"--user-data-dir={profile}",):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # It ends all that it loads when an interface of the machine comes or goes, which those of containers do all the time.
        service = Driver(CHROMEDRIVER, port=free_port(), popen_kw={"preexec_fn": netlink.refuse})
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(WAIT_S)
        self.site = site

    # --- going ---

    def open(self, path):
        self.driver.get(self.site.url + path)

    @property
    def path(self):
        return self.driver.current_url[len(self.site.url):]

    def without_script(self):
        """From now on pages run no script (the tests' own queries still work)."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})

    def width(self, pixels, height=800):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": pixels, "height": height, "deviceScaleFactor": 1,
                                     "mobile": pixels < 600})

    # --- looking ---

    def find(self, selector):
        """The element, waited for."""
        return self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector), selector)[0]

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def gone(self, selector):
        self.until(lambda: not self.all(selector), f"no {selector}")

    def until(self, condition, what):
        """Waits for `condition`; an element that goes away while one looks at it is a no."""
        from selenium.common.exceptions import StaleElementReferenceException
        waiting = WebDriverWait(self.driver, WAIT_S, 0.05, ignored_exceptions=[StaleElementReferenceException])
        return waiting.until(lambda _: condition(), f"{what} at {self.driver.current_url}")

    def at(self, path):
        self.until(lambda: self.path.split("#")[0] == path, f"to be at {path}")

    def run(self, script, *values):
        return self.driver.execute_script(script, *values)

    # --- doing ---

    def click(self, selector):
        self.find(selector).click()

    def type(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def sign_in(self, user="me"):
        self.open("/users/login")
        self.type("[name=username]", user)
        self.type("[name=password]", self.site.passwords[user])
        self.click("main button[type=submit]")
        self.find("header a[href='/users/logout']")

    # --- what it has noted ---

    def complaints(self):
        """Console errors, uncaught exceptions and policy violations since the last call; a 4xx answer is none."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] == "SEVERE" and "the server responded with a status of 4" not in line["message"]]

    def transferred(self):
        """URL to bytes on the wire, headers too, of every answer since the last call."""
        urls, sizes = {}, {}
        for line in self.driver.get_log("performance"):
            event = json.loads(line["message"])["message"]
            if event["method"] == "Network.responseReceived":
                urls[event["params"]["requestId"]] = event["params"]["response"]["url"]
            elif event["method"] == "Network.loadingFinished":
                sizes[event["params"]["requestId"]] = event["params"]["encodedDataLength"]
        loaded = {}
        for name, url in urls.items():
            if name in sizes and url.startswith("http"):
                loaded[url] = loaded.get(url, 0) + sizes[name]
        return loaded

    def idle(self):
        """Waits until the page and what it loads are there."""
        self.until(lambda: self.run("return document.readyState") == "complete", "the page to be complete")
        end = time.monotonic() + WAIT_S
        while self.run("return document.fonts ? document.fonts.status : 'loaded'") != "loaded":
            assert time.monotonic() < end
