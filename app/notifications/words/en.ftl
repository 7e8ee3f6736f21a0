# What the app shows. $has_facility and $has_day are 0 where the event does not know them; $reason may be empty.

EMERGENCY-OPENED = Your book was opened in an emergency
    .text = A practitioner{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    } opened your book in an emergency. The access log tells who, when and why; question it if it is wrong.
DEVICE-ADDED = A new device signed in
    .text = Your account has just been signed in to on a new device. If it was not you, end that session under Devices.
SESSION-REUSED = A session was ended to protect you
    .text = A session's renewal code was used twice and may have been stolen. We ended that session; please sign in again.
SESSION-ENDED = A session has ended
    .text = You are signed in on many devices, so the oldest session has ended.
FACTOR-CHANGED = Your second factor was changed
    .text = Your second factor was set up or changed. If it was not you, sign in again through your identity account.
FACTOR-LOCKED = Your second factor is locked for a while
    .text = A wrong code was entered too often, so your second factor is locked for a while.
CODE-REDEEMED = Your share code was used
    .text = A practitioner{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    } has used your share code. You can revoke the access at any time.
CODE-REFUSED = Your share code was refused
    .text = Somebody tried to use your share code and could not{ $reason ->
        [WRONG_PIN] : the PIN was wrong
        [USED] : the code had been used before
        [CANCELLED] : the code had been cancelled
        [EXPIRED] : the code's time was over
        [TRIES_SPENT] : the code had been tried three times
        [NOT_PRACTISING_THERE] : they do not practise at the facility that they named
        [NOT_FOR_THIS_VIEWER] : the code is not for them, or you have signed out or frozen sharing
       *[other] {""}
    }. See it under Sharing.
GRANT-ENDING = An access to your book is about to end
    .text = One access to your book is about to end. Make a new share code if it is still needed.
GRANT-ENDED = An access to your book has ended
    .text = One access to your book has ended.
SHARE-REQUESTED = A doctor asks to see your book
    .text = A practitioner{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    } asks to see your book. You decide what is shown, and until when.
BOOK-OPENED = Somebody looked into your book
    .text = Your book was opened{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    }. The access log has the details.
GUARDIAN-ADDED = A representative was added
    .text = A representation was added to your account. See it under Family.
GUARDIAN-ENDED = A representation has ended
    .text = One of your representations has ended. See it under Family.
GUARDIAN-BIRTHDAY = A representative's rights are about to change
    .text = Because of a coming birthday, a representative's rights change{ $has_day ->
        [0] {""}
       *[other] {" on "}{ $day }
    }. See it under Family.
RESULT-READY = A new result is there
    .text = A new result{ $has_facility ->
        [0] {""}
       *[other] {" from "}{ $facility }
    } stands in your book.
RECORD-DISOWNED = A record was taken out of your book
    .text = The record that you said is not yours was taken out of your book; the facility that sent it was told.
APPOINTMENT-BOOKED = Appointment booked
    .text = You have an appointment{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    }{ $has_day ->
        [0] {""}
       *[other] {", "}{ $day } {"at "}{ $time }
    }.
APPOINTMENT-CHANGED = Appointment changed
    .text = Your appointment{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    } was moved{ $has_day ->
        [0] {""}
       *[other] {" to "}{ $day } {"at "}{ $time }
    }.
APPOINTMENT-CANCELLED = Appointment cancelled
    .text = Your appointment{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    } was cancelled.
APPOINTMENT-DUE = Appointment reminder
    .text = You have an appointment{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    }{ $has_day ->
        [0] {""}
       *[other] {", "}{ $day } {"at "}{ $time }
    }.
WAITLIST-OFFERED = A place is free for you
    .text = A place has become free{ $has_facility ->
        [0] {""}
       *[other] {" at "}{ $facility }
    }. Please answer before the time to hold it is over.
OTHER = There is news
    .text = Something changed in your account.

# What a locked phone shows: one sentence a class, nothing about health.

push-EMERGENCY = Urgent: your book has just been opened. Open the app to see more.
push-SECURITY = There is a security notice about your account.
push-SHARING = There is news about sharing your book.
push-FAMILY = There is news about representatives.
push-RECORDS = There is something new in your book.
push-APPOINTMENTS = There is news about an appointment.
