-- SPDX-License-Identifier: MIT
-- For wrk: arguments FILE FIRST COUNT THREADS. The request is in FILE; "@@@@@@@" in it, if there, becomes another number
-- below COUNT each time, in an order in which neighbours in time are no neighbours in the table.
local STRIDE = 7919

local threads_count = 0
function setup(thread)
  thread:set("place", threads_count)
  threads_count = threads_count + 1
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local text = file:read("*a")
  file:close()
  local from, to = text:find("@@@@@@@", 1, true)
  if not from then
    request = function() return text end
    return
  end
  before, after = text:sub(1, from - 1), text:sub(to + 1)
  step = tonumber(arguments[4]) -- each thread takes every so many-th number
  number, count = tonumber(arguments[2]) + place - step, tonumber(arguments[3])
end

function request()
  number = number + step
  return before .. string.format("%07d", number * STRIDE % count) .. after
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"count": %d, "seconds": %.6f, "bad_status": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
