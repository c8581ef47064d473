package javax.annotation;

/** The mark on generated classes, which Java itself has no more. */
public @interface Generated {
    String[] value();

    String date() default "";

    String comments() default "";
}
