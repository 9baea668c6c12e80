/* SPDX-License-Identifier: MIT
 *
 * The device cookie of a browser that has signed in before: it names the browser to userauth-svc's
 * throttle, so that somebody else's failures can't lock its owner out. It gives no right to
 * anything. Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies". */
#ifndef NOTES_DEVICE_H
#define NOTES_DEVICE_H

struct app;
struct ctx;
struct http_request;
struct http_response;

/* What userauth-svc counts by: "device:…" when the request has a cookie that we signed for this
 * name, else "address:…". In the arena. */
const char *device_client(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          const char *username);

/* Sets a device cookie for this name; one that the request has is set again, so that it goes on
 * living. */
void device_remember(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs,
                     const char *username);

#endif
